"""Training a module sample by sample."""
