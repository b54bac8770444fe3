"""From files to results to files: sources, the prefetching pipeline, writers."""
