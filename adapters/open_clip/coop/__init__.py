"""CoOp: prompt learning through a frozen text tower (Zhou et al. 2022)."""
