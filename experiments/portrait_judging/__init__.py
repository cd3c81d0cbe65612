"""Parts of `experiments.judge_portraits`."""
