// Made by its first real file.
