"""A stand-in for the Sellercloud service, on this machine only, to try and to test against."""
