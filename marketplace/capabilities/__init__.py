"""能力 / 成果 / 产品: what an organisation can do, has found out, or makes."""
