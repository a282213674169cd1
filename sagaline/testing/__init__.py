"""What tests of a platform stand on: a pytest plugin with real servers, and saga stories."""
