"""textgate.layers."""
