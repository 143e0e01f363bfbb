/**
 * What a step keeps, computes again, or never has at once: strategies of the pattern tower, and the
 * planner that picks the fastest that fits a budget.
 */
package autosparse.costmodel.memory;
