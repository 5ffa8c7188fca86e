"""What tests share: made data, small networks, oracles, programs to run."""
