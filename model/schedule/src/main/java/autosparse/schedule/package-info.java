/** The schedule language, sparse matrices and data sets of measured schedules. */
package autosparse.schedule;
