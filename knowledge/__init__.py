"""What madoguchi knows: dated parameters, decision tables, guides, and the index over documents."""
