"""The home page, the workbench and the help pages: pages that belong to nobody else."""
