/** The oracle: every operator in double, plain loops, one thread. */
package autosparse.engine.reference;
