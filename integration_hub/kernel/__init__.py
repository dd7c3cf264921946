"""Money, messages, states and errors: plain Python, standard library only, imports nothing of ours."""
