"""Functions applied entry by entry, or along one dimension."""
