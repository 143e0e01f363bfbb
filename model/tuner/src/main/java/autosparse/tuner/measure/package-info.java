/** Compiles kernels, runs them in a child process, checks and times them. */
package autosparse.tuner.measure;
