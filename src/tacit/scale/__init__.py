"""Prediction beyond one machine: a plan of numbered shards, Ray Data to answer them, Parquet for what they say."""
