"""The emotion network: data, training, evaluation, export and runtime. Imports ``configs``."""
