"""One household: finds its cameras, keeps them connected, pushes video when asked and permitted."""
