"""The notation of computations: formulas, symbols, names, the evaluation trace."""
