/** Sparse matrices made by kind and seed. */
package autosparse.tuner.generate;
