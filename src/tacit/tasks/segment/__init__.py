"""Instance masks: prototypes of the whole picture, mixed by the coefficients of the cell that found an object."""
