/** Sparse matrices packed into the levels of a schedule. */
package autosparse.tuner.format;
