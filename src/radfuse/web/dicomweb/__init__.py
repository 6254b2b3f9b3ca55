"""DICOMweb: search (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS) of PS3.18 chapter 10."""
