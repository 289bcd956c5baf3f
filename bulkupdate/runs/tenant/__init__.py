"""What is known about one service beyond its documentation: facts, how they are found, and what follows from them."""
