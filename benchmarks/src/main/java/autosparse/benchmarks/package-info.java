/**
 * JMH benchmarks: one class per operator family, the pattern tower, a whole training step; and
 * programs without JMH for what takes minutes: budgets of memory, batches, generated C.
 */
package autosparse.benchmarks;
