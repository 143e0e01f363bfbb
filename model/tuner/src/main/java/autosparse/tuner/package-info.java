/** From a schedule to a verified time: formats, generated C, measurement, data sets. */
package autosparse.tuner;
