"""The command line and the order of the steps: wiring only."""
