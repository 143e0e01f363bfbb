/** The command line: one runnable jar that trains, evaluates and uses cost models. */
package autosparse.trainer;
