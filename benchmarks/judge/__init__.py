"""The judge: learners, baselines and an oracle on made-up clusters whose truth is known."""
