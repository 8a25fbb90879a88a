"""Files that belong to an organisation or a posting: what is taken in, where it lies, who may read it."""
