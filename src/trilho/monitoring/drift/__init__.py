"""How far production is from training, one method a file, each with its definition and its source."""
