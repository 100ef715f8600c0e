"""The emotion network: its data, training, evaluation, export and runtime. Imports ``configs``."""
