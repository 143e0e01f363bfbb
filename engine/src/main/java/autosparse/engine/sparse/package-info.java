/** Active coordinates of sparse matrices and the neighbour maps between them. */
package autosparse.engine.sparse;
