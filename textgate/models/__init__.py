"""textgate.models."""
