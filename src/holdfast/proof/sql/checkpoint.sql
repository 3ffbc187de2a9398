-- So that the fill's pages are not written out during a measurement.
checkpoint;
