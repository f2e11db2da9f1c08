// Made by its first real test.
