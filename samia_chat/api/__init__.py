"""What every REST view stands on."""
