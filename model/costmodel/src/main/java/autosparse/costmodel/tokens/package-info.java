/** Schedules and matrices as numbers: primitive tokens, derived features, their scaling. */
package autosparse.costmodel.tokens;
