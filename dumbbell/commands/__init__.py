"""The commands, by what they are about; each file registers its own."""
