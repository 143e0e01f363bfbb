/** JMH benchmarks: one class per operator family, the pattern tower, a whole training step. */
package autosparse.benchmarks;
