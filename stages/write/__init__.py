"""Write results: table rows, tables, the annotated video with its sound, pictures of people."""
