"""What is done to text or images before the graph sees them: declared beside it, applied by whoever runs it."""
