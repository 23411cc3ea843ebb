"""Images of another size: borders around them, and pixels between their pixels."""
