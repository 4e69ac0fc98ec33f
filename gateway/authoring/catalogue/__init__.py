"""The catalogue: what events there are, what they mean, where they come from; as a model, as pages, as AsyncAPI."""
