"""Cold and warm, against the floor and against a handler as tutorials write it; medians of ratios in one run."""
