/** The registry of operators: one definition each, from which tests and benchmarks are made. */
package autosparse.engine.opcase;
