"""Pixel codecs and the data set rewriter: everything that runs in the transcoder's child process."""
