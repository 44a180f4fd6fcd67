error({kind = "divergence", message = "the backends part"})
