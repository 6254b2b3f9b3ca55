"""The API under /api: what the console and programs ask for beyond DICOMweb, as JSON with an OpenAPI description."""
