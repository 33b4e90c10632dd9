"""What policies say about traffic: verdicts, the rules behind them, and why."""
