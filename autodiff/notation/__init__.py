"""How a computation is written: formulas, symbols, names, the evaluation trace."""
